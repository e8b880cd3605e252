"""Where credentials come from, one module a source. Everything is sent by this package's own transport and signatures.

``source`` holds and renews credentials for all users of the same settings, ``kinds`` has every ``auth_type``.
``token_service`` calls STS, ``machine`` the metadata services, ``alibaba_chain`` and ``tencent_chain`` are the vendors'
default chains; they read ``alibaba_cli``, ``alibaba_ini`` and ``tencent_files``.
"""
