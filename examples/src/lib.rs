//! The bundled examples: one folder each, beside this one.
