using System.Collections;
using Enclaves.Webhook.Options;
using Enclaves.Webhook.Serving;

var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
    .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
var (options, problems) = WebhookOptions.Read(args, environment);
if (problems.Count > 0)
{
    foreach (var problem in problems)
        await Console.Error.WriteLineAsync($"webhook: {problem}");
    return 2;
}

await using var app = WebhookServer.Build(options);
await app.RunAsync();
return 0;
