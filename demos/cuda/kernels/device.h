// What a kernel needs of CUDA C++, without an SDK: clang brings the rest itself.
#pragma once

#ifdef FOR_THE_HOST
#include "host.h"
#else
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define HOST_BUILT(name)
#include <__clang_cuda_builtin_vars.h>
#endif

// Everything a kernel calls is inlined: a call would cost registers and a stack.
#define INLINE __device__ __attribute__((always_inline)) inline

typedef unsigned int u32;
typedef unsigned char u8;
