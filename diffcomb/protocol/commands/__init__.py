"""How train.py and evaluate.py start and end: typed configs, checks, errors in words, run folders, tables."""
