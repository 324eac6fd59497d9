// A kernel that is right, and some that are not: the stand-in must find out.

#include "../../kernels/device.h"

extern "C" __global__ void twice_f32(const float *from, float *to, u32 n) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) to[i] = from[i] + from[i];
}

// Threads beyond the last number write too.
extern "C" __global__ void beyond_f32(const float *from, float *to, u32 n) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    to[i] = from[i < n ? i : 0];
}

// Every thread reads what its neighbour writes, and nothing says who is first.
extern "C" __global__ void race_f32(const float *from, float *to, u32 n) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) to[i] = from[i] + to[i == n - 1 ? 0 : i + 1];
}
