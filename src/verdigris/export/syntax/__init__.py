"""One file a language: how it spells what a program is made of."""
