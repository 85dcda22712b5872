"""Samplers as generators, denoisers that answer them, and the loop that brings them together.

A sampler yields "denoise x at sigma" and is sent the clean latent; it never calls a network. A denoiser turns such a
question into network calls, again as a generator. `drive` answers the calls of many samplings in shared forward passes.
"""
