"""The page in a real browser, with WebGPU on its software renderer."""

from __future__ import annotations

import base64
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from viewer.materials import SCRIPT_NAME

TRIANGLE = """v -1 -1 0
v 1 -1 0
v 0 1 0
vt 0 0
vt 1 0
vt 0.5 1
vn 0 0 1
f 1/1/1 2/2/1 3/3/1
"""


def drop(shown, name, content):
    """Drops a file on the picture."""
    transfer = shown.page.evaluate_handle(
        """([name, text]) => {
            const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name));
            return transfer;
        }""",
        [name, base64.b64encode(content).decode()],
    )
    shown.page.dispatch_event("#stage", "drop", {"dataTransfer": transfer})


def message(shown):
    return shown.page.locator("#message").text_content()


def green_hdr():
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 4\n" + bytes([0, 128, 0, 129]) * 8


def blue_exr():
    """A picture of 4 x 2 in rows of 16 bits, not compressed."""

    def attribute(name, kind, content):
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(content)) + content

    channel = struct.pack("<IIII", 1, 0, 1, 1)
    head = struct.pack("<II", 20000630, 2)
    head += attribute("channels", "chlist", b"".join(n + b"\0" + channel for n in (b"B", b"G", b"R")) + b"\0")
    head += attribute("compression", "compression", b"\0")
    head += attribute("dataWindow", "box2i", struct.pack("<4i", 0, 0, 3, 1)) + b"\0"
    row = np.repeat(np.array([1, 0, 0], "<f2"), 4).tobytes()
    starts = [len(head) + 16 + k * (8 + len(row)) for k in range(2)]
    rows = [struct.pack("<iI", y, len(row)) + row for y in range(2)]
    return head + struct.pack("<2Q", *starts) + b"".join(rows)


def triangle_glb():
    corners = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0]], "<f4").tobytes()
    document = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0, "rotation": [0, 0, 0, 1], "scale": [2, 2, 2]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": len(corners)}],
        "buffers": [{"byteLength": len(corners)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(corners), 0x004E4942) + corners
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def test_a_picture_appears_and_gets_better(show):
    shown = show()
    shown.samples(3)
    pixels = shown.pixels()
    assert np.isfinite(pixels).all() and pixels[24, 24, :3].sum() > 0
    assert shown.page.locator("#stat-renderer").text_content().startswith("WebGPU")
    assert shown.page.locator("#stat-network").text_content().startswith("4, ")


def test_a_name_that_is_a_script_is_shown_as_text(show):
    shown = show("material=1")
    shown.samples()
    assert SCRIPT_NAME in shown.page.locator("#materials").text_content()
    assert shown.page.evaluate("window.broken") is None


def test_mouse_and_keys_move_the_camera_and_the_address_keeps_it(show):
    shown = show()
    shown.samples(2)
    box = shown.page.locator("#picture").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shown.page.mouse.move(*middle)
    shown.page.mouse.down()
    shown.page.mouse.move(middle[0] + 60, middle[1] + 10, steps=3)
    shown.page.mouse.up()
    turned = shown.page.evaluate("viewer.store.state.camera")
    assert turned["azimuth"] < -0.3 and turned["elevation"] > 0.02
    shown.page.mouse.wheel(0, 200)
    shown.until(f"viewer.store.state.camera.distance > {turned['distance'] * 1.1}")
    shown.page.locator("#picture").focus()
    for key in ("ArrowLeft", "Shift+ArrowUp", "+", "-"):
        shown.page.keyboard.press(key)
    moved = shown.page.evaluate("viewer.store.state.camera")
    assert moved["azimuth"] < turned["azimuth"] and moved["target"][1] > 0
    again = show(shown.page.url.partition("#")[2])
    again.samples()
    kept = again.page.evaluate("viewer.store.state.camera")
    assert np.allclose([*kept["target"], kept["azimuth"]], [*moved["target"], moved["azimuth"]], atol=1e-3)
    shown.page.locator("#picture").focus()
    shown.page.keyboard.press("Home")
    shown.until("!location.hash.includes('camera')")


def test_a_finger_turns_it_too(show):
    shown = show(has_touch=True, viewport={"width": 390, "height": 700})
    shown.samples()
    # The panel is below the picture at phone width, and nothing is wider than the screen.
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = shown.page.locator("#picture").bounding_box()
    session = shown.page.context.new_cdp_session(shown.page)
    for kind, x in (("touchStart", 100), ("touchMove", 150), ("touchEnd", None)):
        points = [] if x is None else [{"x": x, "y": box["y"] + 60}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    shown.until("viewer.store.state.camera.azimuth < -0.1")


def test_materials_shapes_and_lights_are_switched(show):
    shown = show()
    shown.samples(2)
    before = shown.pixels()
    for field, value in (("material", "1"), ("shape", "plane"), ("environment", "even")):
        shown.page.select_option(f"[data-field={field}]", value)
        shown.until(f"String(viewer.store.state.{field}) === '{value}' && !viewer.waiting.size")
        shown.samples(2)
        after = shown.pixels()
        assert np.abs(after - before).mean() > 0.01, field
        before = after
    assert np.allclose(before[0, 0, :3], 0.5, atol=1e-3), "the light is seen behind the plane"
    for part in ("material=1", "shape=plane", "environment=even"):
        assert part in shown.page.url


@pytest.mark.parametrize(("name", "content"), [("t.obj", TRIANGLE.encode()), ("t.glb", triangle_glb())])
def test_a_dropped_mesh_is_shown(show, name, content):
    shown = show("environment=even")
    shown.samples()
    drop(shown, name, content)
    shown.until(f"viewer.store.state.shape === '{name}' && !viewer.waiting.size")
    shown.samples(2)
    pixels = shown.pixels()
    assert np.allclose(pixels[2, 2, :3], 0.5, atol=1e-3) and not np.allclose(pixels[26, 24, :3], 0.5, atol=1e-3)


@pytest.mark.parametrize(("name", "content", "channel"), [("g.hdr", green_hdr(), 1), ("b.exr", blue_exr(), 2)])
def test_a_dropped_light_is_shown(show, name, content, channel):
    shown = show()
    shown.samples()
    drop(shown, name, content)
    shown.until(f"viewer.store.state.environment === '{name}' && !viewer.waiting.size")
    shown.samples(2)
    corner = shown.pixels()[0, 0, :3]
    assert corner[channel] == pytest.approx(1, abs=0.01) and np.delete(corner, channel).max() == 0


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.txt", b"", "x.txt: expected .glb, .obj, .hdr, .exr, .vdg"),
        ("x.glb", b"gltf?", "x.glb: expected binary glTF, got something else"),
        ("x.obj", b"v 0 0 0\nf 1 2 3\n", "x.obj: line 2: expected a number of a v that was given before, got 2"),
        ("x.obj", b"", "x.obj: expected triangles, got none"),
        ("x.hdr", b"#?RADIANCE\n\n-Y 2 +X 4\n", "x.hdr: expected more bytes: the picture is cut off"),
        ("x.exr", b"png" * 9, "x.exr: expected OpenEXR, got something else"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(show, name, content, expected):
    shown = show()
    shown.samples()
    drop(shown, name, content)
    shown.until("document.getElementById('message').dataset.kind === 'error'")
    assert message(shown) == expected
    shown.samples(3)


def test_a_dropped_material_is_checked_and_shown(show, asset_file):
    shown = show()
    shown.samples()
    drop(shown, "third.vdg", asset_file.read_bytes()[:-3])
    shown.until("document.getElementById('message').textContent.startsWith('third.vdg: ')")
    assert all("422" in text for text in shown.complaints)
    shown.complaints.clear()
    drop(shown, "third.vdg", asset_file.read_bytes())
    shown.until("viewer.store.state.material === viewer.store.catalogue.materials.length - 1")
    assert shown.page.locator("#materials option:checked").text_content() == "third"
    shown.until("!viewer.waiting.size")
    shown.samples(2)


def test_the_reference_stands_beside_it_behind_a_slider(show):
    shown = show("environment=even&tone=none&compare=split")
    shown.samples()
    shown.until("viewer.renderer.hasReference && viewer.reference.samples >= 4", 60)
    assert shown.page.locator("#split").is_visible()

    def shares():
        picture = Image.open(io.BytesIO(shown.page.locator("#picture").screenshot())).convert("RGB")
        red = np.asarray(picture, float) @ [1, -1, 0] > 60
        return red.mean()

    found = []
    for split in (1, 0):
        shown.page.locator("#split").fill(str(split))
        shown.until(f"viewer.store.state.split === {split}")
        shown.page.wait_for_timeout(300)
        found.append(shares())
    seam, canvas = (shown.page.locator(f"#{name}").bounding_box() for name in ("seam", "picture"))
    middle = canvas["x"] + canvas["width"] / 2  # of a picture that is as wide as it is high
    assert abs(seam["x"] - (middle - canvas["height"] / 2)) <= 1, "the line between the two is at the left end"
    assert found[0] > 5 * found[1] + 0.02, "the reference is the red sphere, the neural material is not"
    shown.page.select_option("[data-field=compare]", "difference")
    shown.until("viewer.renderer.hasReference", 60)
    shown.page.select_option("#materials", "1")
    shown.until("document.getElementById('reference-note').textContent.includes('--source')")


def test_levels_are_forced_and_shown(show):
    shown = show("view=levels")
    shown.samples(2)
    by_footprint = shown.pixels()
    colours = []
    for level in ("0", "2"):
        shown.page.select_option("#levels", level)
        shown.until(f"viewer.store.state.level === {level}")
        shown.samples(2)
        colours.append(shown.pixels()[24, 24, :3])
    assert colours[0].argmax() == 2 and colours[1].argmax() == 0, "blue the finest, red the coarsest"
    assert by_footprint[24, 24, :3].max() > 0
    for view in ("latents", "learned", "normals", "albedo", "uv"):
        shown.page.select_option("[data-field=view]", view)
        shown.until(f"viewer.store.state.view === '{view}'")
        shown.samples(1)
    assert shown.pixels()[0, 0, :3].max() == 0


def test_a_material_of_fewer_levels_has_its_own_list(show):
    shown = show("level=2&view=latents&channel=9")
    shown.samples()
    options = shown.page.locator("#levels option")
    assert options.count() == 4
    assert shown.page.evaluate("viewer.store.state.channel") == 5, "of 8 channels the last three"
    shown.page.select_option("#materials", "2")
    shown.until("!viewer.waiting.size")
    assert options.count() == 3 and shown.page.locator("#levels").input_value() == "1"


def test_an_address_that_is_put_in_keeps_its_camera(show):
    shown = show()
    shown.samples()
    shown.page.evaluate("location.hash = 'shape=plane&camera=0.5,0.4,7,0,0,0'")
    shown.until("viewer.store.state.shape === 'plane' && !viewer.waiting.size")
    assert shown.page.evaluate("viewer.store.state.camera.distance") == 7


def test_a_picture_is_saved(show):
    shown = show()
    shown.samples(2)
    with shown.page.expect_download() as download:
        shown.page.click("#screenshot")
    assert download.value.suggested_filename == "plain.png"
    picture = Image.open(download.value.path()).convert("RGB")
    assert picture.size == (48, 48) and np.asarray(picture).std() > 5


def test_a_lost_device_comes_back_with_a_message(show):
    shown = show()
    shown.samples(2)
    shown.page.evaluate("viewer.renderer.destroy()")
    shown.until("document.getElementById('message').textContent.includes('device was lost')")
    shown.samples(2)
    assert shown.pixels()[24, 24, :3].sum() > 0


def test_webgl_stands_in_and_says_so(show):
    shown = show("environment=even", "side=48&renderer=webgl")
    shown.samples(4)
    assert shown.page.locator("#stat-renderer").text_content().startswith("WebGL 2")
    assert "direct light" in message(shown)
    pixels = shown.pixels()
    assert np.allclose(pixels[0, 0, :3], 0.5, atol=1e-3) and np.isfinite(pixels).all()
    shown.page.select_option("[data-field=view]", "levels")
    shown.page.select_option("#levels", "2")
    shown.until("viewer.store.state.level === 2")
    shown.samples(2)
    assert shown.pixels()[24, 24, :3].argmax() == 0
    shown.page.evaluate("viewer.renderer.destroy()")
    shown.until("document.getElementById('message').textContent.includes('device was lost')")


def test_without_webgpu_it_is_chosen_by_itself(browser, running, show):
    shown = show("", "side=32")
    shown.page.add_init_script("Object.defineProperty(navigator, 'gpu', { value: undefined })")
    shown.page.reload()
    shown.samples(2)
    assert "no WebGPU" in message(shown)


def test_every_control_has_a_name_and_is_reached_by_tab(show):
    shown = show()
    shown.samples()
    unnamed = shown.page.evaluate(
        """[...document.querySelectorAll('input, select, button, canvas')].filter((element) =>
            !element.labels?.length && !element.getAttribute('aria-label') && !element.textContent.trim()).length"""
    )
    assert unnamed == 0
    shown.page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(30):
        shown.page.keyboard.press("Tab")
        reached.add(shown.page.evaluate("document.activeElement.id || document.activeElement.dataset.field"))
    assert {"picture", "materials", "shapes", "environments", "rotation", "levels", "screenshot"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_light_and_dark(show, scheme):
    shown = show(color_scheme=scheme)
    shown.samples()
    back = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = np.mean([int(part) for part in back[4:-1].split(",")[:3]])
    assert (brightness > 128) == (scheme == "light")
