"""Floor 0: the contract between the parts of an autoencoder, and the mathematics they share."""
