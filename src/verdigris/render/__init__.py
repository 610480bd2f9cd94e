"""Rendering: a material as traced Dr.Jit code, as a Mitsuba BSDF, in test scenes, beside its reference."""
