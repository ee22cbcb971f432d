"""Tests of the recipe on painted ellipsoids: `python -m unittest test_recipe` in this folder. About a minute."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

import instructions
import vocabulary
from batches import OnDisk, Plans, Resident
from captions import Captioner, word_lists
from dataset import Shards, flip, gather, region_colours
from networks import Embedded, cosine_schedule, to_image, to_latent

HERE = Path(__file__).parent


def command(*words):
    subprocess.run([sys.executable, *map(str, words)], cwd=HERE, check=True, stdout=subprocess.DEVNULL)


class Recipe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        command("fake_data.py", "--out", cls.folder / "data", "--shards", 2, "--heads", 12)
        vocabulary.write(cls.folder / "tokenizer", *vocabulary.train(vocabulary.captions_of(cls.folder / "data")))
        cls.words = vocabulary.Words(cls.folder / "tokenizer")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_words_about_heads_are_single_tokens(self):
        for word in word_lists()[0]:
            if word.isalpha():
                self.assertEqual(len(self.words.tokenizer(word)["input_ids"]), 3, word)

    def test_unknown_words_fall_into_pieces_and_come_back(self):
        ids = self.words.tokenizer("A Xylophonist\u2019s \u00e9clair")["input_ids"]
        self.assertEqual(self.words.tokenizer.decode(ids, skip_special_tokens=True).replace(" ", ""), "axylophonist\u2019s\u00e9clair")

    def test_sentences_are_framed_and_padded_by_the_end_token(self):
        ids = self.words(["a bald man"])[0].tolist()
        self.assertEqual(len(ids), vocabulary.MAX_LENGTH)
        self.assertEqual(ids[0], len(self.words) - 2)
        self.assertEqual(set(ids[4:]), {len(self.words) - 1})

    def test_flipping_twice_changes_nothing(self):
        shards = Shards(self.folder / "data")
        image, control = map(torch.from_numpy, gather(shards.pairs(shards.draw(np.random.default_rng(0), 4))))
        which = torch.tensor([True, False, True, True])
        once = flip(image, control, which)
        twice = flip(*once, which)
        self.assertFalse(torch.equal(once[1], control))
        self.assertTrue(torch.equal(once[0][1], image[1]))
        self.assertTrue(torch.equal(twice[0], image) and torch.equal(twice[1], control))

    def test_edits_know_the_picture_before(self):
        shards = Shards(self.folder / "data", held_out=3)
        rows = shards.draw_edited(np.random.default_rng(0), 40)
        for (shard, i), row in zip(shards.pairs(rows), rows):
            (other, j), = shards.pairs([row - i + shard.before[i]])
            self.assertEqual(shard.rows[i]["head"], other.rows[j]["head"])
            np.testing.assert_array_equal(shard.view[i], other.view[j])
            np.testing.assert_array_equal(shard.control[i], other.control[j])
            self.assertNotEqual(shard.rows[i]["attributes"]["skin"], other.rows[j]["attributes"]["skin"])
        held = shards.validation[0]
        for i in np.flatnonzero(held.before >= 0):
            self.assertEqual(held.rows[i]["head"], held.rows[held.before[i]]["head"])

    def test_plans_repeat_and_hold_edits(self):
        shards = Shards(self.folder / "data")
        options = SimpleNamespace(seed=3, batch=20, edits=0.3)
        plans = Plans(shards, self.words, Captioner(), options, 0)
        first, again, next_ = plans(5), plans(5), plans(6)
        self.assertTrue(torch.equal(first["rows"], again["rows"]) and torch.equal(first["tokens"], again["tokens"]))
        self.assertFalse(torch.equal(first["rows"], next_["rows"]))
        self.assertEqual(len(first["references"]), 6)
        self.assertTrue(first["told"][6:].all())
        values = {"skin": ["green", "light"]}
        resident, disk = Resident(shards, values, "cpu"), OnDisk(shards, values)
        for a, b in zip([*resident.pictures(first["rows"]), *resident.targets(first["rows"])], [*disk.pictures(first["rows"]), *disk.targets(first["rows"])]):
            self.assertTrue(torch.equal(a, b))

    def test_held_out_heads_are_whole_and_apart(self):
        shards = Shards(self.folder / "data", held_out=3)
        held = {row["head"] for s in shards.validation for row in s.rows}
        seen = {row["head"] for s in shards.training for row in s.rows}
        self.assertEqual(held, {9, 10, 11})
        self.assertEqual(seen, set(range(24)) - held)
        self.assertEqual(len(shards.training[0]), len(shards.training[0].image))

    def test_a_shard_that_is_being_written_waits(self):
        growing = self.folder / "growing"
        growing.mkdir()
        for name in ("shard_00000.jsonl", "shard_00000.safetensors"):
            data = (self.folder / "data" / name).read_bytes()
            (growing / name).write_bytes(data[: len(data) // 2] if name.endswith("safetensors") else data)
        shards = Shards(growing)
        self.assertEqual((len(shards.training), list(shards.pending)), (0, ["shard_00000.safetensors"]))
        with_processes = Shards(growing, processes=2)
        self.assertEqual((len(with_processes.training), list(with_processes.pending)), (0, ["shard_00000.safetensors"]))
        (growing / "shard_00000.safetensors").write_bytes((self.folder / "data/shard_00000.safetensors").read_bytes())
        self.assertEqual((shards.rescan(), shards.rescan()), (1, 0))
        count = shards.count()
        os.utime(growing / "shard_00000.safetensors", (1, 1))  # replaced by another version
        self.assertEqual((shards.rescan(), shards.count(), len(shards.validation)), (1, count, 1))

    def test_region_colours_of_a_painted_scalp(self):
        image, control = np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 16, 8, 8), np.uint8)
        control[0, 6], control[0, 9, :4] = 255, 255
        control[0, 7, :4], control[0, 7, 4:] = 128, 255  # the upper half lies in the shade
        image[0, :4], image[0, 4:] = (128, 0, 64), (51, 102, 0)
        colours, visible = region_colours(image, control)
        np.testing.assert_allclose(colours[0, 3], [1, 0, 0.5], atol=1e-3)
        np.testing.assert_allclose(colours[0, 1], [0.2, 0.4, 0], atol=1e-3)
        self.assertEqual((visible[0, 3], visible[0, 1], visible[0, 2], visible[0, 5]), (1, 1, 0, 0))

    def test_schedule_is_the_library_s(self):
        from diffusers import DDIMScheduler

        theirs = DDIMScheduler(beta_schedule="squaredcos_cap_v2").alphas_cumprod
        torch.testing.assert_close(cosine_schedule().float(), theirs, rtol=1e-4, atol=1e-7)

    def test_latents_keep_the_picture(self):
        image = torch.randint(0, 256, (2, 128, 128, 3), dtype=torch.uint8)
        back = (to_image(to_latent(image)) + 1) * 127.5
        torch.testing.assert_close(back.permute(0, 2, 3, 1).round().byte(), image)

    def test_binder_paints_each_region_with_its_own_words(self):
        torch.manual_seed(0)
        model = Embedded(len(self.words))
        control = torch.zeros(1, 16, 64, 64)
        control[:, 9, :32] = 1
        found = model.region_text(torch.randn(1, 64, 128))
        painted = model.region_text.paint(control, found)
        torch.testing.assert_close(painted[0, 16:, 40, 3], found[0, 0] + found[0, 2])
        torch.testing.assert_close(painted[0, 16:, 5, 3], found[0, 0] + found[0, 2] + found[0, 3])
        control[:, 6] = 1
        painted = model.region_text.paint(control, found)
        torch.testing.assert_close(painted[0, 16:, 5, 3], model.region_text.layers(found)[0, 3])

    def test_instructions_lose_strange_words_and_no_others(self):
        self.assertEqual(instructions.words_of("Don\u2019t dye Anna's HAIR cat-like!"), ["don't", "dye", "anna", "hair", "cat", "like"])
        rows = [{"instruction": "give her a red beard", "attribute": "beard"}] * 20 + [{"instruction": "give her a car", "attribute": None}] * 50
        lexicon = instructions.taught(rows)
        self.assertEqual(lexicon, ["a", "beard", "give", "her", "red"])
        self.assertEqual(instructions.known(["give", "her", "a", "car"], lexicon), f"give her a {instructions.UNKNOWN}")
        noisy = instructions.Noise(insert=1, leave_out=1)
        for seed in range(50):
            words = noisy("give her a red beard", np.random.default_rng(seed)).split()
            kept = [word for word in words if word != instructions.UNKNOWN]
            self.assertLess(len(kept), len(words))
            self.assertEqual([word for word in kept if word not in ("her", "a")], ["give", "red", "beard"])

    def test_tables_of_instructions_hold_what_changes(self):
        rows = [{"before": {"beard": "none", "male": True}, "after": {"beard": "full"}}, {"before": {"beard": "full", "male": False}, "after": {}}]
        attributes = instructions.attribute_values(rows)
        self.assertEqual(attributes, {"beard": ["full", "none"], "male": ["False", "True"]})
        before, after = instructions.tables(rows, attributes)
        self.assertEqual((before.tolist(), after.tolist()), ([[1, 1], [0, 0]], [[0, 1], [0, 0]]))

    def test_the_reader_of_instructions_learns(self):
        out = self.folder / "instructions"
        data = self.folder / "data"
        command("train_instructions.py", "--data", data, "--held-out", data, "--run", self.folder / "instructing", "--export", out, "--minutes", 0.5)
        report = json.loads((out / "report.json").read_text())
        self.assertGreater(report["looks"], 0.95)
        self.assertGreater(report["looks_that_change"], 0.9)
        self.assertGreater(report["nonsense_that_changes_nothing"], 0.99)
        self.assertNotIn("car", (out / "words.txt").read_text().split())

    def test_trains_resumes_exports_and_agrees_with_the_library(self):
        run, out = self.folder / "run", self.folder / "model"
        readers = ["train_readers.py", "--data", self.folder / "data", "--run", self.folder / "reading", "--export", self.folder / "reader", "--device", "cpu", "--held-out", 60, "--batch", 64]
        command(*readers, "--minutes", 0.4)
        read = json.loads((self.folder / "reader/report.json").read_text())
        self.assertGreater(read["by_attribute"]["skin"], 0.9)
        self.assertGreater(read["accuracy_in_another_order"], 0.7)
        common = ["train.py", "--data", self.folder / "data", "--run", run, "--device", "cpu", "--batch", 4, "--size", "tiny", "--text-minutes", 0.05, "--export", out]
        command(*common, "--minutes", 0.3)
        first = json.loads((run / "state/progress.json").read_text())
        command(*common, "--minutes", 0.5, "--resume")
        second = json.loads((run / "state/progress.json").read_text())
        self.assertGreater(first["samples"], 0)
        self.assertGreater(second["samples"], first["samples"])
        self.assertEqual(first["text_samples"], second["text_samples"])
        self.assertIn(f"Samples seen: {second['samples']}", (out / "MODEL_CARD.md").read_text())
        self.assertIn("man", (self.folder / "reader/words.txt").read_text().split())
        from export import load_run
        from export_reference import record

        tensors = record(out, 64, 0)
        model, _ = load_run(run)
        hidden, pooled = model.read(tensors["tokens"])
        torch.testing.assert_close(hidden, tensors["text_embedding"], rtol=1e-3, atol=1e-3)
        ours = model.denoise(tensors["latent"], torch.tensor([601, 601]), hidden, pooled, tensors["control_image"][:, :16])
        torch.testing.assert_close(ours, tensors["noise_pred_controlled"], rtol=1e-3, atol=1e-3)


if __name__ == "__main__":
    unittest.main()
