"""Everything in the engine that is only about speed."""
