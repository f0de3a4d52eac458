# SPDX-License-Identifier: Apache-2.0
"""Where programs that name exceptions and types look for them: whet.onnxruntime.capi.onnxruntime_pybind11_state."""
