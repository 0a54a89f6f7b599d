"""Everything in the engine that is only about speed; the training loop reaches it through `tuned_steps.steps_for`."""
