"""A construction while it runs: sessions, resuming, accounts, rehearsals, review pages, the Ray engine."""
