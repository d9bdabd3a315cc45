"""Claims of privacy and safety, attacked by adversaries: venues, thieves, holders of a copy of the database."""
