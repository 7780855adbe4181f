using System.Linq.Expressions;
using System.Reflection;
using Enclaves.Api;
using Enclaves.Webhook.Validation;
using FluentValidation;
using FluentValidation.Validators;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Api.Crd;

public sealed class ApiReferenceTests
{
    private static readonly DocumentationComments Comments = DocumentationComments.Load();

    public static TheoryData<string> Validators => new(
        typeof(NedValidator).Assembly.GetTypes().Where(type => type.Namespace == typeof(NedValidator).Namespace && type.BaseType is { IsGenericType: true } of && of.GetGenericTypeDefinition() == typeof(AbstractValidator<>))
            .Select(type => type.FullName!));

    [Fact]
    public void The_api_reference_says_what_the_types_say() => WrittenFile.MustHold(ApiReference.Path, ApiReference.Text());

    // A rule that no page tells of is only found out by being refused.
    [Theory]
    [MemberData(nameof(Validators))]
    public void Every_rule_is_said_of_its_field(string validator)
    {
        var rules = Rules(typeof(NedValidator).Assembly.GetType(validator)!);
        rules.Where(member => !IsSaid(member)).Select(member => $"{member.DeclaringType?.Name}.{member.Name}").ShouldBeEmpty(
            "say what is allowed in the <remarks> of this property or type in Api/Spec, then run dev/crd");
    }

    [Fact]
    public void Rules_are_found()
    {
        var members = Rules(typeof(EnclaveValidator)).Select(member => member.Name).ToList();
        members.ShouldContain(nameof(EnclaveSpec.CpuCount));
        members.ShouldContain(nameof(EnclaveSpec.Registries));
        IsSaid(typeof(EnvVar).GetProperty(nameof(EnvVar.Value))!).ShouldBeFalse();
    }

    private static bool IsSaid(MemberInfo member) =>
        Comments.Rules(member) is not null || (member is PropertyInfo field && AllowedValues.Of(new SchemaWriter(Comments).Property(field), rules: null).Length > 0);

    // The fields that a validator's own rules are about; of a rule about a whole object, its type.
    private static IEnumerable<MemberInfo> Rules(Type validator)
    {
        object?[] arguments = [.. validator.GetConstructors().Single().GetParameters().Select(parameter => Activator.CreateInstance(parameter.ParameterType))];
        return ((IValidator)Activator.CreateInstance(validator, arguments)!).CreateDescriptor().Rules
            .Where(rule => rule.Components.Any(component => component.Validator is not IChildValidatorAdaptor))
            .Select(rule => rule.Expression.Body switch
            {
                // A name has no row of its own: metadata is Kubernetes'.
                MemberExpression { Member: PropertyInfo { Name: nameof(NitroEnclaveDeployment.Metadata) } metadata } => metadata.DeclaringType!,
                MemberExpression { Member: var member } => member,
                ParameterExpression whole => whole.Type,
                var other => throw new NotSupportedException($"{validator.Name} has a rule about {other}"),
            });
    }
}
