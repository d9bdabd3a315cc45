"""What has to do with HTTP: problems, authentication, throttles, idempotency, middleware. Begin at `problems`."""
