package org.bloomery.spring.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.FinishReason;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.test.Application.Assistant;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Autowired;
import reactor.test.StepVerifier;

@InferenceTest(properties = "bloomery.chat.model=/no/such/model.gguf")
class ScriptedModelTest {

    @Autowired
    private ScriptedChatModel model;

    @Autowired
    private Assistant assistant;

    @Autowired
    private ObjectProvider<Engine> engines;

    @Test
    void answersWithoutAnEngineOrAModelFile() {
        model.answer("Good morning, Ada.");

        assertThat(assistant.answer("Hello")).isEqualTo("Good morning, Ada.");
        assertThat(engines.getIfAvailable()).isNull();
        assertThat(model.lastPrompt().getContents()).contains("Be brief.", "Hello");
    }

    @Test
    void answersPromptsInTheOrderOfTheScriptAndThenByRule() {
        model.answer("one").answer("two").answerWith(prompt -> "to " + lastUser(prompt));

        assertThat(List.of(assistant.answer("a"), assistant.answer("b"), assistant.answer("c"), assistant.answer("d")))
                .containsExactly("one", "two", "to c", "to d");
        assertThat(model.prompts()).hasSize(4);
        assertThat(model.remaining()).isZero();
    }

    @Test
    void promptWithoutAnAnswerFailsWithASentence() {
        assertThatThrownBy(() -> assistant.answer("Hello"))
                .hasMessage("The scripted model has no answer to prompt 1; say what it answers with answer(…) or"
                        + " answerWith(…).");
    }

    @Test
    void streamsWordsOrPieces() {
        model.answer(" Good  morning,\nAda. ").answer(ScriptedAnswer.pieces("Go", "od"));

        StepVerifier.create(assistant.stream("Hello"))
                .expectNext(" Good", "  morning,", "\nAda. ")
                .verifyComplete();
        StepVerifier.create(assistant.stream("Hello")).expectNext("Go", "od").verifyComplete();
    }

    @Test
    void lastResponseHasFinishReasonAndUsage() {
        model.answer(ScriptedAnswer.reasoning("Hm.").thenText("Once upon").finishReason(FinishReason.LENGTH));

        List<ChatResponse> responses = model.stream(new Prompt("Tell a story"))
                .collectList()
                .blockOptional(Duration.ofSeconds(10))
                .orElseThrow();

        assertThat(responses).hasSize(4);
        ChatResponse last = responses.getLast();
        Generation generation = Objects.requireNonNull(last.getResult());
        assertThat(generation.getMetadata().getFinishReason()).isEqualTo("LENGTH");
        assertThat(generation.getOutput().getMetadata()).containsEntry(BloomeryChatModel.REASONING, "Hm.");
        assertThat(last.getMetadata().getUsage().getPromptTokens()).isEqualTo(3);
        assertThat(last.getMetadata().getUsage().getCompletionTokens()).isEqualTo(3);
    }

    @Test
    void typedAnswersAreParsed() {
        model.answer("{\"name\": \"Oslo\", \"country\": \"Norway\"}");

        assertThat(assistant.city("Where is Oslo?")).isEqualTo(new Assistant.City("Oslo", "Norway"));
    }

    @Test
    void toolsAreExecuted() {
        model.callTool("time", "{}").answer("It is twelve.");

        assertThat(assistant.withClock("What time is it?")).isEqualTo("It is twelve.");
        assertThat(model.lastPrompt().getInstructions().getLast())
                .isInstanceOfSatisfying(
                        ToolResponseMessage.class,
                        result -> assertThat(result.getResponses().getFirst().responseData())
                                .contains("twelve"));
    }

    @Test
    void refusesAndFails() {
        model.refuse().fail(new BackendLostException("The worker has died; ask again.", null));

        assertThatThrownBy(() -> assistant.answer("Hello")).isInstanceOf(EngineOverloadedException.class);
        assertThatThrownBy(() -> assistant.answer("Hello")).isInstanceOf(BackendLostException.class);
    }

    @Test
    void failsInTheMiddleOfAStream() {
        model.answer(ScriptedAnswer.pieces("Good ").thenFailure(new BackendLostException("Gone.", null)));

        StepVerifier.create(model.stream(new Prompt("Hello")).map(ScriptedModelTest::text))
                .expectNext("Good ")
                .verifyError(BackendLostException.class);
    }

    @Test
    void waitsForTheTestToGoOn() {
        CompletableFuture<Void> goOn = new CompletableFuture<>();
        model.answer(ScriptedAnswer.pieces("Good ").thenAwait(goOn).thenPieces("morning"));

        StepVerifier.create(assistant.stream("Hello"))
                .expectNext("Good ")
                .then(() -> goOn.complete(null))
                .expectNext("morning")
                .verifyComplete();
    }

    @Test
    void delaysAreOfReactorsClock() {
        model.answer(ScriptedAnswer.after(Duration.ofHours(1)).thenText("late"));

        StepVerifier.withVirtualTime(() -> model.stream(new Prompt("Hello")).map(ScriptedModelTest::text))
                .expectSubscription()
                .expectNoEvent(Duration.ofMinutes(59))
                .thenAwait(Duration.ofMinutes(1))
                .expectNext("late", "")
                .verifyComplete();
    }

    @Test
    void cancelledStreamsAreCounted() {
        model.answer(ScriptedAnswer.pieces("Good ").thenAwait(new CompletableFuture<>()));

        StepVerifier.create(model.stream(new Prompt("Hello")))
                .expectNextCount(1)
                .thenCancel()
                .verify();

        assertThat(model.cancellations()).isEqualTo(1);
    }

    private static String text(ChatResponse response) {
        return String.valueOf(
                Objects.requireNonNull(response.getResult()).getOutput().getText());
    }

    private static String lastUser(Prompt prompt) {
        return String.valueOf(prompt.getUserMessage().getText());
    }
}
