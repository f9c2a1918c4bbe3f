"""Valid inequalities of tours and how violated ones are found."""
