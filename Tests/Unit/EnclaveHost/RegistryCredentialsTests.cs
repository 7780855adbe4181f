using Enclaves.EnclaveHost.Session;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class RegistryCredentialsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("credentials").FullName;

    [Fact]
    public void User_and_password_come_from_either_form()
    {
        Secret("a", """{"auths":{"r1.example.com":{"username":"u","password":"p"}}}""");
        Secret("b", """{"auths":{"https://r2.example.com/v1/":{"auth":"dTI6cDI6eA=="}}}""");
        RegistryCredentials.Read(_folder).Select(c => (c.Registry, c.Username, c.Password))
            .ShouldBe([("r1.example.com", "u", "p"), ("r2.example.com", "u2", "p2:x")]);
    }

    [Fact]
    public void A_missing_folder_holds_none() => RegistryCredentials.Read(Path.Combine(_folder, "none")).ShouldBeEmpty();

    [Fact]
    public void A_broken_secret_is_named_without_its_content()
    {
        Secret("broken", """{"auths":{"r":{"password":"hunter2"}""");
        var error = Should.Throw<InvalidDataException>(() => RegistryCredentials.Read(_folder));
        error.Message.ShouldContain("broken");
        error.ToString().ShouldNotContain("hunter2");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Secret(string name, string content)
    {
        Directory.CreateDirectory(Path.Combine(_folder, name));
        File.WriteAllText(Path.Combine(_folder, name, ".dockerconfigjson"), content);
    }
}
