"""Is a person's own formula right? Equality with a certificate, the smallest repair, and what the mistake is called."""
