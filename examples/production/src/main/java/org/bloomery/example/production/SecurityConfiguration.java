package org.bloomery.example.production;

import jakarta.servlet.DispatcherType;
import org.bloomery.spring.security.InferenceRequest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.authorization.AuthorityAuthorizationManager;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.crypto.password.PasswordEncoder;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;

/** Who may reach what. */
@Configuration(proxyBeanMethods = false)
class SecurityConfiguration {

    @Bean
    SecurityFilterChain routes(HttpSecurity http) {
        return http.authorizeHttpRequests(
                        requests -> requests.dispatcherTypeMatchers(DispatcherType.ASYNC, DispatcherType.ERROR)
                                // The end of a request that was let in.
                                .permitAll()
                                .requestMatchers("/actuator/health/**")
                                .permitAll()
                                .requestMatchers("/actuator/**")
                                .hasRole("METRICS")
                                .requestMatchers("/api/**")
                                .hasRole("CHAT")
                                .anyRequest()
                                .denyAll())
                .httpBasic(Customizer.withDefaults())
                .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                // No cookie says who somebody is, so there is nothing that another site could make a browser send.
                .csrf(AbstractHttpConfigurer::disable)
                .build();
    }

    /** The same rule again at the model, whatever way a request came. */
    @Bean
    AuthorizationManager<InferenceRequest> whoMayAsk() {
        return AuthorityAuthorizationManager.hasRole("CHAT");
    }

    @Bean
    PasswordEncoder keys() {
        return new KeyEncoder();
    }

    @Bean
    UserDetailsService users(Accounts accounts) {
        InMemoryUserDetailsManager users = new InMemoryUserDetailsManager();
        accounts.accounts()
                .forEach((name, account) -> users.createUser(User.withUsername(name)
                        .password(account.keySha256())
                        .roles(account.roles().toArray(String[]::new))
                        .build()));
        return users;
    }
}
