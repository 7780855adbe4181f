using OpenQA.Selenium;
using OpenQA.Selenium.Chrome;

namespace Enclaves.Tests.Cluster.Rest;

/// <summary>A real Chromium without a window, and what a person does with it.</summary>
internal sealed class Browser : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly string _profile = Directory.CreateTempSubdirectory("enclaves-browser-").FullName;
    private readonly ChromeDriverService _service;
    private readonly ChromeDriver _driver;

    public Browser()
    {
        var options = new ChromeOptions { BinaryLocation = "/usr/bin/chromium", AcceptInsecureCertificates = true };
        options.AddArguments(
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-proxy-server",
            "--window-size=1400,1000", $"--user-data-dir={_profile}");
        options.SetLoggingPreference(LogType.Browser, OpenQA.Selenium.LogLevel.Severe);
        _service = ChromeDriverService.CreateDefaultService("/usr/bin", "chromedriver");
        _service.SuppressInitialDiagnosticInformation = true;
        try
        {
            _driver = new ChromeDriver(_service, options, Limit);
            _driver.Manage().Timeouts().PageLoad = Limit;
            _driver.Manage().Timeouts().AsynchronousJavaScript = Limit;
        }
        catch
        {
            _service.Dispose();
            Directory.Delete(_profile, recursive: true);
            throw;
        }
    }

    /// <summary>Path of the page that is shown.</summary>
    public string Path => new Uri(_driver.Url).AbsolutePath;

    public void Open(string url) => _driver.Navigate().GoToUrl(url);

    /// <summary>Waits until the page that a form leads to is there.</summary>
    public void Settle() => _driver.ExecuteAsyncScript(
        "const done = arguments[0]; const look = () => document.readyState === 'complete' ? done() : setTimeout(look, 50); setTimeout(look, 300)");

    public object? Script(string script, params object[] arguments) => _driver.ExecuteScript(script, arguments);

    public object? Script(string script, bool isAsync) => isAsync ? _driver.ExecuteAsyncScript(script) : _driver.ExecuteScript(script);

    public bool Has(string selector) => _driver.FindElements(By.CssSelector(selector)).Count > 0;

    public async Task<string> Text(string selector) => (await Find(selector)).Text;

    /// <summary>Clicks on something as soon as it is there and can be clicked on.</summary>
    public Task Click(string selector) => Wait.Until($"{selector} can be clicked on", () =>
    {
        try
        {
            _driver.FindElement(By.CssSelector(selector)).Click();
            return Task.FromResult(true);
        }
        catch (Exception notYet) when (notYet is NoSuchElementException or StaleElementReferenceException or ElementNotInteractableException or ElementClickInterceptedException)
        {
            return Task.FromResult(false);
        }
    }, Limit, Page);

    /// <summary>Waits until something shows a text.</summary>
    public Task Shows(string selector, string text) => Wait.Until($"{selector} shows {text}", () =>
        Task.FromResult(_driver.FindElements(By.CssSelector(selector)).Any(element => element.Text.Contains(text, StringComparison.Ordinal))), Limit, Page);

    /// <summary>What the browser has complained of since it was asked the last time: what was not let in, and errors of scripts.</summary>
    public IReadOnlyList<string> Complaints() => [.. _driver.Manage().Logs.GetLog(LogType.Browser).Select(entry => entry.Message)];

    public void Dispose()
    {
        _driver.Dispose();
        _service.Dispose();
        Directory.Delete(_profile, recursive: true);
    }

    private Task<IWebElement> Find(string selector) =>
        Wait.For(selector, () => Task.FromResult(_driver.FindElements(By.CssSelector(selector)).FirstOrDefault()), Limit, Page);

    private string Page() => $"{_driver.Url}: {_driver.PageSource[..Math.Min(2000, _driver.PageSource.Length)]}";
}
