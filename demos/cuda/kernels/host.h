// For tests: what lets a kernel's source be compiled for this machine's processor, as a third reading of it beside the PTX and
// the processor's own code. Blocks and threads are loops.
#pragma once

#include <cstddef>
#include <utility>

#define __global__
#define __device__

struct Place {
    unsigned x, y;
};
static thread_local Place blockIdx, threadIdx, blockDim, gridDim;

template <typename... A, std::size_t... K>
void call(void (*kernel)(A...), void **arguments, std::index_sequence<K...>) {
    kernel(*static_cast<A *>(arguments[K])...);
}

// Runs all threads of a launch; every argument is where `arguments` says.
template <typename... A>
void run(void (*kernel)(A...), void **arguments, const unsigned *grid, const unsigned *block) {
    gridDim = {grid[0], grid[1]};
    blockDim = {block[0], block[1]};
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)
            for (threadIdx.y = 0; threadIdx.y < blockDim.y; threadIdx.y++)
                for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++)
                    call(kernel, arguments, std::index_sequence_for<A...>());
}

// What the stand-in for the driver finds by name.
#define HOST_BUILT(name) \
    extern "C" void name##_host(void **arguments, const unsigned *grid, const unsigned *block) { \
        run(name, arguments, grid, block); \
    }
