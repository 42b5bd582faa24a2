"""How a database becomes what the code expects: one module per change, never edited afterwards."""
