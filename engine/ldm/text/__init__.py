"""Words to vectors: tokenizers and the transformer tau_theta that is trained with the U-Net."""
