// Prints the material's colour at the middle of uv, seen from above, under one light.
#include <stdio.h>
#include <stdlib.h>

#include "material.h"

using namespace vd_math;

int main() {
  FILE* file = fopen("latents.bin", "rb");
  if (!file) return 1;
  fseek(file, 0, SEEK_END);
  size_t bytes = size_t(ftell(file));
  rewind(file);
  Half* latents = static_cast<Half*>(malloc(bytes));
  if (fread(latents, 1, bytes, file) != bytes) return 1;
  fclose(file);

  VdSurface s = vd_fetch(latents, Vec2(0.5f, 0.5f), 0u);
  Vec3 response = vd_eval(s, Vec3(0.f, 0.f, 1.f), Vec3(0.3f, 0.f, 0.95394f));
  printf("%g %g %g\n", response.x, response.y, response.z);
  free(latents);
}
