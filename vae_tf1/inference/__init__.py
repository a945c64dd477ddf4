"""Any number of rows through the model: codes, images, the ELBO, log p(x)."""
