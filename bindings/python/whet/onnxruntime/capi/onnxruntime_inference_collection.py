# SPDX-License-Identifier: Apache-2.0
"""The session and its values under the module name by which programs import them."""
from .._session import InferenceSession, IOBinding, Session
from .._values import OrtDevice, OrtValue

__all__ = ["IOBinding", "InferenceSession", "OrtDevice", "OrtValue", "Session"]
