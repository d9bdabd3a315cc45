"""HTTP: problems, authentication, throttles, idempotency, middleware. Begin with `problems`."""
