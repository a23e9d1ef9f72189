package org.bloomery.spring.autoconfigure;

import java.security.SecureRandom;
import java.time.Clock;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.AnsweringModel;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineListener;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.audit.AuditLog;
import org.bloomery.engine.audit.AuditRecord;
import org.bloomery.spring.audit.AuditEventSink;
import org.bloomery.spring.audit.AuditRecorder;
import org.bloomery.spring.audit.InferenceAuditSink;
import org.bloomery.spring.audit.JsonLinesAuditSink;
import org.bloomery.spring.security.PiiRedactor;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.TenantResolver;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.audit.AuditEventRepository;
import org.springframework.boot.actuate.audit.listener.AuditApplicationEvent;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;

/**
 * Keeps a record of every request: in a file where {@code bloomery.audit.enabled} says so, as audit events where there is
 * an {@link AuditEventRepository}, and in whatever other {@link InferenceAuditSink} there is.
 */
@AutoConfiguration(
        after = {
            BloomeryChatAutoConfiguration.class,
            BloomerySecurityAutoConfiguration.class,
            BloomeryGuardAutoConfiguration.class
        })
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE - 10) // A sink that another one defines is to be found
@ConditionalOnBean(Engine.class)
@EnableConfigurationProperties(BloomeryAuditProperties.class)
public final class BloomeryAuditAutoConfiguration {

    private static final Log log = LogFactory.getLog(BloomeryAuditAutoConfiguration.class);

    @Bean
    @ConditionalOnProperty(prefix = BloomeryAuditProperties.PREFIX, name = "enabled")
    @ConditionalOnMissingBean
    JsonLinesAuditSink bloomeryAuditFile(BloomeryAuditProperties properties) {
        return new JsonLinesAuditSink(AuditLog.open(Objects.requireNonNull(properties.file()), properties.fsync()));
    }

    /** Where somebody looks at audit events. A class inside is looked at before the beans around it. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(AuditApplicationEvent.class)
    static class Events {

        @Bean
        @ConditionalOnBean(AuditEventRepository.class)
        @ConditionalOnMissingBean
        AuditEventSink bloomeryAuditEvents(ApplicationEventPublisher publisher) {
            return new AuditEventSink(publisher);
        }
    }

    /** Where values of properties are shown at all. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(SanitizingFunction.class)
    static class Secrets {

        private static final Pattern SEPARATORS = Pattern.compile("[-_.]");

        @Bean
        SanitizingFunction bloomeryAuditKeySanitizingFunction() {
            return SanitizingFunction.sanitizeValue()
                    .ifKeyMatches(key -> SEPARATORS
                            .matcher(key.toLowerCase(Locale.ROOT))
                            .replaceAll("")
                            .equals("bloomeryaudithmackey"));
        }
    }

    @Bean
    @ConditionalOnBean(InferenceAuditSink.class)
    @ConditionalOnMissingBean
    AuditRecorder bloomeryAuditRecorder(
            BloomeryAuditProperties properties,
            Engine engine,
            ObjectProvider<InferenceAuditSink> sinks,
            ObjectProvider<PiiRedactor> redactor,
            TenantResolver tenants,
            PrincipalResolver principals) {
        prepareDigests(engine);
        return new AuditRecorder(
                sinks.orderedStream().toList(),
                new AuditedModel(engine),
                tenants,
                principals,
                key(properties.hmacKey()),
                properties.content(),
                redaction(redactor.getIfUnique()),
                properties.failClosed(),
                Clock.systemUTC());
    }

    /** Begins to read the file of each model when it is loaded, so that no record waits for its digest later. */
    private static void prepareDigests(Engine engine) {
        Runnable begin = () -> {
            boolean known = engine.modelDigest().isDone();
            log.debug("The model's digest is " + (known ? "known." : "being computed."));
        };
        engine.addListener(new EngineListener() {
            @Override
            public void loaded(Loaded model) {
                begin.run();
            }
        });
        engine.whenLoaded(begin);
    }

    /** The model that a request would have come to. */
    private static final class AuditedModel implements Supplier<AuditRecord.Model> {

        private final Engine engine;

        AuditedModel(Engine engine) {
            this.engine = engine;
        }

        @Override
        public AuditRecord.Model get() {
            try {
                return AuditRecorder.recorded(new AnsweringModel(engine.model(), engine::modelDigest));
            } catch (EngineUnavailableException e) {
                return new AuditRecord.Model("none", null, null);
            }
        }
    }

    private static UnaryOperator<String> redaction(@Nullable PiiRedactor redactor) {
        return redactor == null ? UnaryOperator.identity() : redactor;
    }

    private static String key(@Nullable String given) {
        if (given != null) {
            return given;
        }
        byte[] random = new byte[32];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }
}
