"""The compiled loops of solver="kkt": factorisation, interior point, polish, and the batch around them."""
