# SPDX-License-Identifier: Apache-2.0
"""SessionOptions and RunOptions. Fields that steer ONNX Runtime's own machinery are kept and change nothing; what would
change results or files and is not there is refused by name when a session is made."""
from enum import IntEnum

from .. import _core


class GraphOptimizationLevel(IntEnum):
    """How far a graph is rewritten. whet's rewriting keeps results at every level."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(IntEnum):
    """Whether nodes may run side by side."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class ExecutionOrder(IntEnum):
    """In which order nodes run."""

    DEFAULT = 0
    PRIORITY_BASED = 1
    MEMORY_EFFICIENT = 2


class OrtAllocatorType(IntEnum):
    """Kinds of allocators."""

    INVALID = -1
    ORT_DEVICE_ALLOCATOR = 0
    ORT_ARENA_ALLOCATOR = 1


class OrtMemType(IntEnum):
    """Kinds of memory."""

    CPU_INPUT = -2
    CPU_OUTPUT = -1
    CPU = -1
    DEFAULT = 0


class SessionOptions:
    """How a session is made. intra_op_num_threads and the overrides of free dimensions are what whet heeds."""

    def __init__(self):
        self.enable_cpu_mem_arena = True
        self.enable_mem_pattern = True
        self.enable_mem_reuse = True
        self.enable_profiling = False
        self.execution_mode = ExecutionMode.ORT_SEQUENTIAL
        self.execution_order = ExecutionOrder.DEFAULT
        self.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL
        self.inter_op_num_threads = 0
        self.intra_op_num_threads = 0
        self.log_severity_level = -1
        self.log_verbosity_level = 0
        self.logid = ""
        self.optimized_model_filepath = ""
        self.profile_file_prefix = "onnxruntime_profile_"
        self.use_deterministic_compute = False
        self.use_per_session_threads = True
        self._config = {}
        self._dims = {}
        self._refused = []

    def add_session_config_entry(self, key, value):
        """Keep a configuration entry."""
        self._config[str(key)] = str(value)

    def get_session_config_entry(self, key):
        """A configuration entry; RuntimeError when there is none."""
        if key not in self._config:
            raise RuntimeError(f"SessionOptions does not have configuration with key: {key}")
        return self._config[key]

    def add_free_dimension_override_by_name(self, name, value):
        """Give a free dimension of that name a size."""
        self._dims[name] = int(value)

    def add_free_dimension_override_by_denotation(self, denotation, value):
        """Refused when a session is made: whet keeps names of dimensions, not denotations."""
        self._refused.append(f"a free dimension by its denotation ({denotation})")

    def add_initializer(self, name, value):
        """Refused when a session is made."""
        self._refused.append(f"an initializer given from outside ({name})")

    def add_external_initializers(self, names, values):
        """Refused when a session is made."""
        self._refused.append(f"initializers given from outside ({', '.join(names)})")

    def register_custom_ops_library(self, path):
        """Refused when a session is made: such libraries are built against ONNX Runtime."""
        self._refused.append(f"operators of ONNX Runtime's own binary interface ({path})")

    def add_provider(self, name, options=None):
        """The CPU is the only provider; others are left out with a warning by the session."""
        self._providers = [*getattr(self, "_providers", []), name]

    def has_providers(self):
        """Whether providers were added here."""
        return bool(getattr(self, "_providers", []))


class RunOptions:
    """How one run is done. Setting terminate from another thread ends the runs that were given this object."""

    def __init__(self):
        self._cancel = _core.Cancel()
        self._config = {}
        self.log_severity_level = -1
        self.log_verbosity_level = 0
        self.logid = ""
        self.only_execute_path_to_fetches = False
        self.training_mode = False

    @property
    def terminate(self):
        """Whether runs with these options are to end."""
        return self._cancel.cancelled

    @terminate.setter
    def terminate(self, value):
        if value:
            self._cancel.cancel()
        else:
            self._cancel.clear()

    def add_run_config_entry(self, key, value):
        """Keep a configuration entry."""
        self._config[str(key)] = str(value)

    def get_run_config_entry(self, key):
        """A configuration entry; RuntimeError when there is none."""
        if key not in self._config:
            raise RuntimeError(f"RunOptions does not have configuration with key: {key}")
        return self._config[key]
