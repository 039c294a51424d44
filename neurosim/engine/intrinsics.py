"""What Numba has no name for: raw pointers, calls through them, atomics, bit casts, pausing, yielding."""

import ctypes
import platform
import sys
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils

intrinsic: Any = extending.intrinsic  # what it makes is called without the first argument

_I8P = ir.IntType(8).as_pointer()
_I64 = ir.IntType(64)

FLAGS = 64  #: bytes that `flags_of` looks at


def _array_of(dtype):
    """Return the intrinsic that makes the array of a dtype at an address, of a length.

    Numba's own `carray` does so by two functions for each array, and a kernel has dozens of arrays: compiling takes
    longer with it.
    """
    def array_at(typingctx, address, length):
        kind, size = types.Array(numba.from_dtype(np.dtype(dtype)), 1, "C"), np.dtype(dtype).itemsize

        def codegen(context, builder, signature, args):
            model, item = context.data_model_manager.lookup(kind), context.get_constant(types.intp, size)
            parts = {"data": builder.inttoptr(args[0], context.get_data_type(kind.dtype).as_pointer()),
                     "nitems": args[1], "itemsize": item, "shape": cgutils.pack_array(builder, [args[1]]),
                     "strides": cgutils.pack_array(builder, [item])}
            array = context.get_constant_null(kind)  # nobody counts who holds it
            for name, value in parts.items():
                array = model.set(builder, array, value, name)
            return array
        return kind(types.int64, types.int64), codegen
    return intrinsic(array_at)


def _number_of(dtype):
    """Return the intrinsic that loads a number of a dtype from an address."""
    def number_at(typingctx, address):
        kind = numba.from_dtype(np.dtype(dtype))

        def codegen(context, builder, signature, args):
            return builder.load(builder.inttoptr(args[0], context.get_data_type(kind).as_pointer()))
        return kind(types.int64), codegen
    return intrinsic(number_at)


_DTYPES = ("uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
VIEWS = {f"array_{name}": _array_of(name) for name in _DTYPES} | {
    f"number_{name}": _number_of(name) for name in ("float32", "float64")}


@intrinsic
def call_kernel(typingctx, function, arguments, tick):
    """Call the kernel at an address with the address of its argument block and the tick."""
    def codegen(context, builder, signature, args):
        function_type = ir.FunctionType(ir.VoidType(), [_I64.as_pointer(), _I64])
        function = builder.inttoptr(args[0], function_type.as_pointer())
        builder.call(function, [builder.inttoptr(args[1], _I64.as_pointer()), args[2]])
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def prefetch(typingctx, array, index):
    """Ask for the cache line that holds an element, before it is needed; a hint without other effect."""
    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        address = builder.bitcast(builder.gep(data, [args[1]]), _I8P)
        flags = [ir.IntType(32)] * 3
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [_I8P], ir.FunctionType(ir.VoidType(), [_I8P, *flags]))
        builder.call(function, [address, *(ir.Constant(ir.IntType(32), flag) for flag in (0, 3, 1))])
        return context.get_dummy_value()
    return types.void(array, index), codegen


@intrinsic
def flags_of(typingctx, array, index):
    """Return which of 64 bytes of an array, from an index on, are not 0: bit k of an uint64 for byte k."""
    def codegen(context, builder, signature, args):
        vector = ir.VectorType(ir.IntType(8), FLAGS)
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), vector.as_pointer())
        found = builder.icmp_unsigned("!=", builder.load(place, align=1), ir.Constant(vector, [0] * FLAGS))
        return builder.bitcast(found, _I64)
    return types.uint64(array, index), codegen


@intrinsic
def first_flag(typingctx, flags):
    """Return the number of the lowest bit that is set in an uint64 other than 0."""
    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.IntType(1)(1))
    return types.int64(types.uint64), codegen


@intrinsic
def atomic_store(typingctx, address, value):
    """Put an int64 to an address; a thread that reads it there sees all that this one wrote before."""
    def codegen(context, builder, signature, args):
        builder.store_atomic(args[1], builder.inttoptr(args[0], _I64.as_pointer()), "release", 8)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), codegen


@intrinsic
def atomic_claim(typingctx, address):
    """Put 1 in the place of 0 at an address; return whether it was 0, which only one thread sees."""
    def codegen(context, builder, signature, args):
        place = builder.inttoptr(args[0], _I64.as_pointer())
        with builder.if_else(builder.icmp_signed("==", builder.load_atomic(place, "acquire", 8), _I64(0))) as (yes, no):
            with yes:
                pair = builder.cmpxchg(place, _I64(0), _I64(1), "seq_cst", "acquire")
                tried, after = builder.extract_value(pair, 1), builder.block
            with no:
                skipped = builder.block
        result = builder.phi(ir.IntType(1))
        result.add_incoming(tried, after)
        result.add_incoming(ir.Constant(ir.IntType(1), 0), skipped)
        return result
    return types.boolean(types.int64), codegen


@intrinsic
def atomic_load(typingctx, address):
    """Return the int64 at an address, as other threads last left it."""
    def codegen(context, builder, signature, args):
        return builder.load_atomic(builder.inttoptr(args[0], _I64.as_pointer()), "seq_cst", 8)
    return types.int64(types.int64), codegen


@intrinsic
def bits_to_float32(typingctx, bits):
    """Return the float32 with the given 32 bits."""
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.FloatType())
    return types.float32(types.int32), codegen


@intrinsic
def bits_to_float64(typingctx, bits):
    """Return the float64 with the given 64 bits."""
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.DoubleType())
    return types.float64(types.int64), codegen


@intrinsic
def float64_to_bits(typingctx, x):
    """Return the 64 bits of a float64."""
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], _I64)
    return types.int64(types.float64), codegen


@intrinsic
def pause(typingctx):
    """Leave the units of this core to its other thread for an instant, while waiting in a loop."""
    def codegen(context, builder, signature, args):
        if platform.machine().lower() in ("x86_64", "amd64"):
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), kind), [])
        elif platform.machine().lower() in ("aarch64", "arm64"):
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32)])
            builder.call(builder.module.declare_intrinsic("llvm.aarch64.hint", (), kind), [ir.IntType(32)(1)])
        return context.get_dummy_value()
    return types.void(), codegen


_X86, _ARM = ("x86_64", "amd64"), ("aarch64", "arm64")
FLUSH = {**dict.fromkeys(_X86, 0x8040), **dict.fromkeys(_ARM, 1 << 24)}.get(platform.machine().lower(), 0)
#: bits of the register of a thread that make numbers too small for a full significand count as 0


@intrinsic
def float_mode(typingctx):
    """Return the register that says how a thread computes with floats, as int64; 0 on other processors."""
    def codegen(context, builder, signature, args):
        machine = platform.machine().lower()
        if machine in _X86:
            place = builder.alloca(ir.IntType(32))
            kind = ir.FunctionType(ir.VoidType(), [_I8P])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse.stmxcsr", (), kind),
                         [builder.bitcast(place, _I8P)])
            return builder.zext(builder.load(place), _I64)
        if machine in _ARM:
            kind = ir.FunctionType(_I64, [])
            return builder.call(builder.module.declare_intrinsic("llvm.aarch64.get.fpcr", (), kind), [])
        return _I64(0)
    return types.int64(), codegen


@intrinsic
def set_float_mode(typingctx, mode):
    """Put an int64 that `float_mode` returned, or one with other bits, into the register."""
    def codegen(context, builder, signature, args):
        machine = platform.machine().lower()
        if machine in _X86:
            place = builder.alloca(ir.IntType(32))
            builder.store(builder.trunc(args[0], ir.IntType(32)), place)
            kind = ir.FunctionType(ir.VoidType(), [_I8P])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse.ldmxcsr", (), kind),
                         [builder.bitcast(place, _I8P)])
        elif machine in _ARM:
            kind = ir.FunctionType(ir.VoidType(), [_I64])
            builder.call(builder.module.declare_intrinsic("llvm.aarch64.set.fpcr", (), kind), [args[0]])
        return context.get_dummy_value()
    return types.void(types.int64), codegen


def _find_yield():
    if sys.platform == "win32":
        return ctypes.cast(ctypes.windll.kernel32.SwitchToThread, ctypes.c_void_p).value
    return ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value


llvm.add_symbol("neurosim_yield", _find_yield())


@intrinsic
def yield_thread(typingctx):
    """Let the operating system run another thread on this core."""
    def codegen(context, builder, signature, args):
        function = builder.module.globals.get("neurosim_yield")
        if function is None:
            function = ir.Function(builder.module, ir.FunctionType(ir.IntType(32), []), "neurosim_yield")
        builder.call(function, [])
        return context.get_dummy_value()
    return types.void(), codegen
