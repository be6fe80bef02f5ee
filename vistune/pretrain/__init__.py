"""Teaching the small backbones that ship with the package: a CLIP (`vision`) and a Llama (`language`), on world data alone."""
