// Adds a sample to the sums of those before it.

uniform highp sampler2D before;
uniform highp sampler2D added;

out vec4 colour;

void main() {
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  colour = texelFetch(before, pixel, 0) + vec4(texelFetch(added, pixel, 0).rgb, 1.0);
}
