#!/bin/sh
# Holds the student against PyTorch and transformers: the folder that `new`
# writes, ids, template and mask, log probabilities, the training curve and
# the trained weights, greedy answers. STILLROOM_PYTHON names an interpreter
# that has torch, transformers and tokenizers; skips without.
#
# Last seen with torch 2.15.0, transformers 5.24.0, tokenizers 0.23.3: all ids
# equal; log probabilities within 1e-6; 50 steps' losses within 2e-6, weights
# within 1e-6 (relative); 60 of 60 greedy answers equal. With peft 0.21.2: an
# adapter of its own within 1e-6, applied and merged; 50 steps of LoRA, losses
# and pairs within 1e-6, the folded student's logits too.
set -eu
python=${STILLROOM_PYTHON:-python3}
if ! "$python" -c 'import torch, transformers, tokenizers' 2> /dev/null; then
    echo "skipped: no Python with torch, transformers and tokenizers" \
        "(STILLROOM_PYTHON names one)"
    exit 77
fi
exec "$python" "$srcdir/peers/transformers_check.py" \
    "$top_builddir/src/stillroom-model" "$HOME"
