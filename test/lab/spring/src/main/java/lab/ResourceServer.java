package lab;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.HttpMethod;
import org.springframework.security.config.annotation.web.reactive.EnableWebFluxSecurity;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.config.web.server.ServerHttpSecurity.CsrfSpec;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.server.resource.authentication.JwtIssuerReactiveAuthenticationManagerResolver;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** Spring's own multi-tenant resource server, as its manual shows it. Only the list of issuers can be set from outside. */
@SpringBootApplication
@EnableWebFluxSecurity
@RestController
public class ResourceServer {
  private volatile Set<String> trusted = Set.of();

  public static void main(String[] arguments) {
    SpringApplication.run(ResourceServer.class, arguments);
  }

  @Bean
  SecurityWebFilterChain chain(ServerHttpSecurity http) {
    var resolver =
        JwtIssuerReactiveAuthenticationManagerResolver.fromTrustedIssuers(issuer -> trusted.contains(issuer));
    return http
        .csrf(CsrfSpec::disable)
        .authorizeExchange(
            exchange -> exchange.pathMatchers(HttpMethod.PUT, "/trusted").permitAll().anyExchange().authenticated())
        .oauth2ResourceServer(server -> server.authenticationManagerResolver(resolver))
        .build();
  }

  @PutMapping("/trusted")
  void trust(@RequestBody List<String> issuers) {
    trusted = Set.copyOf(issuers);
  }

  @GetMapping("/")
  Map<String, Object> whoAmI(@AuthenticationPrincipal Jwt token) {
    return Map.of("tenant", String.valueOf(token.getIssuer()), "claims", token.getClaims());
  }
}
