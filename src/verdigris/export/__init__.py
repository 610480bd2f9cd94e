"""Neural materials as shaders: a program without a language, and a syntax for each language that prints it."""
