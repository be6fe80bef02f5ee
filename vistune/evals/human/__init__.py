"""Human evaluation: a blind, randomised, resumable rating page, and the report on what the raters said."""
