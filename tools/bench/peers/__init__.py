"""The contestants, one class each. This table is all that the rest of the tool knows about them."""

from pkgutil import resolve_name

from bench.peers.base import Peer

OURS = "ours"
PEERS = {
    OURS: "bench.peers.ours:Ours",
    "torch": "bench.peers.pytorch:PyTorch",
    "torch-fused": "bench.peers.pytorch:PyTorchFused",
    "jax": "bench.peers.jax_jit:JaxJit",
    "autograd": "bench.peers.hips_autograd:Autograd",
    "mygrad": "bench.peers.mygrad_tensors:MyGrad",
    "numpy": "bench.peers.numpy_by_hand:NumPyByHand",
}


def load(key: str) -> Peer:
    """Import one framework and its class; ImportError where the framework is not installed."""
    peer: Peer = resolve_name(PEERS[key])()
    return peer


def load_installed(keys: list[str]) -> tuple[dict[str, Peer], dict[str, str]]:
    """The peers that can be imported, and for the others the reason why not."""
    found, missing = {}, {}
    for key in keys:
        try:
            found[key] = load(key)
        except ImportError as error:
            missing[key] = str(error)
    return found, missing
