using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>
/// A key policy of AWS KMS by which a key serves only enclaves with these measurements. Its one statement goes beside those of the key's administrators.
/// </summary>
internal sealed partial record KmsPolicy
{
    private const string ConditionKey = "kms:RecipientAttestation:";

    /// <summary>Version of the policy language.</summary>
    [JsonPropertyName("Version")]
    public string Version { get; } = "2012-10-17";

    /// <summary>The statement.</summary>
    [JsonPropertyName("Statement")]
    public required IReadOnlyList<KmsStatement> Statement { get; init; }

    /// <summary>The policy for a NED.</summary>
    /// <param name="name">Of the NED.</param>
    /// <param name="digest">Of its manifest.</param>
    /// <param name="measurements">Its registers, PCR0 among them.</param>
    /// <param name="principal">ARN of the role under which its enclaves call KMS.</param>
    public static KmsPolicy Of(string name, string digest, IReadOnlyDictionary<string, string> measurements, string principal) => new()
    {
        Statement =
        [
            new KmsStatement
            {
                Sid = $"{Word().Replace(name, "")}{digest[..10]}",
                Principal = new Dictionary<string, string> { ["AWS"] = principal },
                Condition = new Dictionary<string, IReadOnlyDictionary<string, string>>
                {
                    ["StringEqualsIgnoreCase"] = measurements.ToDictionary(register => ConditionKey + register.Key, register => register.Value),
                },
            },
        ],
    };

    /// <summary>Whether a text is the ARN of who can be given rights to a key: a role, a user or a role's session of one account.</summary>
    public static bool IsPrincipal(string text) => Arn().IsMatch(text);

    // A statement's name has letters and digits.
    [GeneratedRegex("[^A-Za-z0-9]", RegexOptions.CultureInvariant)]
    private static partial Regex Word();

    [GeneratedRegex(@"\Aarn:aws[a-z-]{0,16}:(?:iam::[0-9]{12}:(?:role|user)/|sts::[0-9]{12}:assumed-role/)[A-Za-z0-9+=,.@_/-]{1,576}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Arn();
}

/// <summary>Lets a principal use the key for what an attested enclave can ask of it.</summary>
internal sealed record KmsStatement
{
    /// <summary>Names NED and manifest.</summary>
    [JsonPropertyName("Sid")]
    public required string Sid { get; init; }

    /// <summary>Allow.</summary>
    [JsonPropertyName("Effect")]
    public string Effect { get; } = "Allow";

    /// <summary>Who may.</summary>
    [JsonPropertyName("Principal")]
    public required IReadOnlyDictionary<string, string> Principal { get; init; }

    /// <summary>The calls whose answers KMS encrypts for the enclave of the attestation document.</summary>
    [JsonPropertyName("Action")]
    public IReadOnlyList<string> Action { get; } = ["kms:Decrypt", "kms:DeriveSharedSecret", "kms:GenerateDataKey", "kms:GenerateDataKeyPair", "kms:GenerateRandom"];

    /// <summary>In a key policy: this key.</summary>
    [JsonPropertyName("Resource")]
    public string Resource { get; } = "*";

    /// <summary>The registers that the attestation document must have.</summary>
    [JsonPropertyName("Condition")]
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Condition { get; init; }
}
