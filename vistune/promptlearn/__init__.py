"""Prompt learning: every way to adapt a frozen dual encoder (CLIP, SigLIP), on one engine.

backbone.py    the frozen dual encoder, opened up into two towers
edits.py       what a method changes, declared by hook site
sequence.py    the state that flows through a tower, with named token groups and a shared prefix
tower.py       embed -> blocks -> pool under edits
engine.py      images and class names in, logits out; what may be cached follows from the sites touched
methods/       one file a method
"""
