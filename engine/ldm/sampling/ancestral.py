"""The split of a step into a deterministic part and fresh noise, shared by all stochastic samplers."""

from __future__ import annotations

import math


def ancestral_step(sigma_from: float, sigma_to: float, eta: float = 1.0) -> tuple[float, float]:
    """Split a step down to `sigma_to` into (sigma_down, sigma_up): go down to the first, then add noise of the second.

    sigma_down^2 + sigma_up^2 = sigma_to^2. With eta 1 this is the posterior of DDPM, with eta between 0 and 1 that of
    DDIM (eq. 16 divided by sqrt(abar_prev)).

    Source: k-diffusion sampling.py, get_ancestral_step.
    """
    if not eta or not sigma_from:
        return sigma_to, 0.0
    spread = (sigma_from**2 - sigma_to**2) / sigma_from**2
    sigma_up = min(sigma_to, eta * sigma_to * math.sqrt(max(spread, 0.0)))
    return math.sqrt(sigma_to**2 - sigma_up**2), sigma_up
