"""ministack, made as strict as AWS where this project depends on it.

Everything that touches ministack's internals is in this package, one module a service. Each module's
`install` replaces named functions through `sandbox.emulator.patching.replace`, which stops the sandbox with
one clear line when a new ministack version has moved them.
"""
