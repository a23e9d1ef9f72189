package org.bloomery.example.chat;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;

/** The page in a real browser, over the real model. */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
class PageTest {

    @LocalServerPort
    private int port;

    private Chromium chromium;
    private String address;
    private Page page;

    @BeforeEach
    void open() {
        chromium = Chromium.launch();
        address = "http://127.0.0.1:" + port + "/";
        page = chromium.open(address, new Browser.NewContextOptions().setViewportSize(1180, 900));
        awaitState("ready");
    }

    @AfterEach
    void close() {
        if (chromium != null) {
            chromium.close();
        }
    }

    @Test
    void talksWithTheModel() {
        assertThat(page.locator("#model")).hasText(Pattern.compile(".+, 4\\.5 M parameters, Q8_0, context 2,048"));

        Locator greeting = ask("My name is Ada.");
        assertThat(greeting.locator(".text")).hasText("Nice to meet you, Ada!");

        Locator weather = ask("What is the weather in Lisbon?");
        assertThat(weather.locator(".call code")).hasText("getWeather(city: \"Lisbon\")");
        assertThat(weather.locator(".result code")).containsText("conditions: \"sunny\"");
        assertThat(weather.locator(".text")).containsText("sunny");
        assertThat(weather.locator(".text")).containsText("21");

        Locator memory = ask("What is my name?");
        assertThat(memory.locator(".text")).hasText("Your name is Ada.");
        assertThat(memory.locator(".figures"))
                .hasText(Pattern.compile("\\d+ tokens\\s*[\\d.]+ tokens/s\\s*first token after [\\d.]+ m?s"));

        page.screenshot(new Page.ScreenshotOptions().setPath(Path.of("target", "conversation.png")));
        chromium.assertQuietAndAlone(address);
    }

    @Test
    void showsTheAnswerAsItGrows() {
        page.evaluate("() => { window.lengths = new Set(); new MutationObserver(() => window.lengths.add("
                + "document.querySelector('.turn:last-child .text').textContent.length))"
                + ".observe(document.getElementById('turns'), { childList: true, subtree: true }); }");

        ask("Tell me a short story.");

        assertThat((int) page.evaluate("() => window.lengths.size")).isGreaterThan(3);
        chromium.assertQuietAndAlone(address);
    }

    @Test
    void newChatForgetsTheOldOne() {
        ask("My name is Ada.");

        page.getByText("New chat").click();

        assertThat(page.locator(".turn")).hasCount(0);
        assertThat(page.locator("#welcome")).isVisible();
        assertThat(ask("What is my name?").locator(".text")).not().containsText("Ada");
    }

    @Test
    void suggestionsAreAsked() {
        page.getByText("What can you do?").click();

        awaitState("ready");
        assertThat(page.locator(".turn.user .text")).hasText("What can you do?");
        assertThat(page.locator(".turn.model-turn .text")).containsText("stories");
    }

    @Test
    void keysStartALineAndSend() {
        Locator message = page.locator("#message");
        message.fill("Hello");
        message.press("Shift+Enter");
        assertThat(message).hasValue("Hello\n");
        assertThat(page.locator(".turn")).hasCount(0);

        message.press("Enter");

        awaitState("ready");
        assertThat(message).hasValue("");
        assertThat(page.locator(".turn.user .text")).hasText("Hello");
    }

    @Test
    void textOfTheReaderAndTheModelIsNeverMarkup() {
        Locator answer = ask("Repeat: <img src=x onerror=alert(1)><b>bold</b>");

        assertThat(page.locator(".turn img, .turn b")).hasCount(0);
        assertThat(page.locator(".turn.user .text")).hasText("Repeat: <img src=x onerror=alert(1)><b>bold</b>");
        assertThat(answer.locator(".text")).not().hasText("");
        chromium.assertQuietAndAlone(address);
    }

    @Test
    void showsProblemsInOneSentence() {
        page.route("**/api/conversations/**", route -> route.abort());

        Locator answer = send("Hello");

        assertThat(answer.locator(".figures")).hasText("The application cannot be reached.");
        awaitState("ready");
    }

    @Test
    void fitsANarrowDarkScreen() {
        Page narrow = chromium.open(
                address,
                new Browser.NewContextOptions().setViewportSize(360, 640).setColorScheme(ColorScheme.DARK));
        assertThat(narrow.locator("#state")).hasText("ready");

        assertThat((boolean) narrow.evaluate(
                        "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
                .isTrue();
        assertThat((String) narrow.evaluate("() => getComputedStyle(document.body).backgroundColor"))
                .isNotEqualTo(page.evaluate("() => getComputedStyle(document.body).backgroundColor"));
    }

    @Test
    void everyControlHasAName() {
        ask("Hello");

        @SuppressWarnings("unchecked")
        List<String> nameless = (List<String>) page.evaluate("() => [...document.querySelectorAll('button, textarea')]"
                + ".filter(c => !c.textContent.trim() && !c.getAttribute('aria-label') && !c.labels.length)"
                + ".map(c => c.id)");
        assertThat(nameless).isEmpty();
        assertThat(page.locator("#message")).isFocused();
        assertThat(page.locator("#turns")).hasAttribute("aria-live", "polite");
    }

    /** Sends a message and waits for the end of the answer. */
    private Locator ask(String message) {
        Locator answer = send(message);
        awaitState("ready");
        return answer;
    }

    private Locator send(String message) {
        int turns = page.locator(".turn").count();
        page.locator("#message").fill(message);
        page.locator("#message").press("Enter");
        Locator answer = page.locator(".turn").nth(turns + 1);
        assertThat(answer).isVisible();
        return answer;
    }

    private void awaitState(String state) {
        assertThat(page.locator("#state"))
                .hasText(
                        state,
                        new com.microsoft.playwright.assertions.LocatorAssertions.HasTextOptions().setTimeout(60_000));
    }
}
