"""Crowd state and what it is made with: air, cases, self-reports. Begin at `refresh`, which keeps it up to date."""
