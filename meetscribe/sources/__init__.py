"""Where audio comes from. Every source gives float32 blocks at 16 kHz and keeps its channels apart."""
