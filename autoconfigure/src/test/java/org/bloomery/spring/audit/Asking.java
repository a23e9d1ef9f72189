package org.bloomery.spring.audit;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.bloomery.spring.audit.Endings.Ending;
import org.bloomery.spring.audit.Endings.Patience;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.security.core.context.SecurityContext;
import org.springframework.security.core.context.SecurityContextHolder;
import reactor.core.publisher.BaseSubscriber;

/** How somebody asks. */
enum Asking {
    CALL,
    STREAM;

    /**
     * Asks, waits for the end, and returns what was thrown.
     *
     * @param begun when whoever goes at the beginning goes
     */
    @Nullable
    Throwable ask(BloomeryChatModel model, Ending ending, CountDownLatch begun) {
        return switch (this) {
            case CALL -> call(model, ending, begun);
            case STREAM -> stream(model, ending);
        };
    }

    private static @Nullable Throwable call(BloomeryChatModel model, Ending ending, CountDownLatch begun) {
        CompletableFuture<Optional<Throwable>> end = new CompletableFuture<>();
        SecurityContext context = SecurityContextHolder.getContext();
        Thread caller = Thread.ofPlatform().unstarted(() -> {
            SecurityContextHolder.setContext(context);
            if (ending.patience() == Patience.GOES_AT_ONCE) {
                Thread.currentThread().interrupt();
            }
            try {
                model.call(ending.prompt());
                end.complete(Optional.empty());
            } catch (Throwable e) {
                end.complete(Optional.of(e));
            }
        });
        caller.start();
        if (ending.patience() == Patience.GOES_WHEN_IT_BEGINS) {
            Endings.await(begun);
            caller.interrupt();
        }
        return endOf(ending, end);
    }

    private static @Nullable Throwable endOf(Ending ending, CompletableFuture<Optional<Throwable>> end) {
        try {
            return end.get(30, TimeUnit.SECONDS).orElse(null);
        } catch (ExecutionException | InterruptedException | TimeoutException e) {
            throw new AssertionError("No end of '" + ending + "'", e);
        }
    }

    private static @Nullable Throwable stream(BloomeryChatModel model, Ending ending) {
        CompletableFuture<Optional<Throwable>> end = new CompletableFuture<>();
        model.stream(ending.prompt()).subscribe(new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                if (ending.patience() == Patience.GOES_AT_ONCE) {
                    cancel();
                } else {
                    requestUnbounded();
                }
            }

            @Override
            protected void hookOnNext(ChatResponse piece) {
                if (ending.patience() == Patience.GOES_WHEN_IT_BEGINS) {
                    cancel();
                }
            }

            @Override
            protected void hookOnComplete() {
                end.complete(Optional.empty());
            }

            @Override
            protected void hookOnError(Throwable error) {
                end.complete(Optional.of(error));
            }

            @Override
            protected void hookOnCancel() {
                end.complete(Optional.empty());
            }
        });
        return endOf(ending, end);
    }
}
