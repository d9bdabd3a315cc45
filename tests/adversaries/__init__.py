"""Claims of privacy and safety, attacked by adversaries: venues, thieves, who holds a copy of the database."""
