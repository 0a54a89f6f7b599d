"""Every verb on a file, as a user runs it: what is written, what is said, and what is refused."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import isthmus

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
ROLES = ("--id", "name", "--target", "odd")


def table(path):
    return pyarrow.csv.read_csv(path)


def test_train_writes_a_model_and_its_records(run, people):
    ran = run("train", people, *ROLES, "--latent", 3, "--set", "epochs=2", "-o", "m.isthmus", "--json")
    assert ran.code == 0, ran.err
    facts = ran.json()
    assert facts["files"] == ["m.isthmus", "m.history.jsonl", "m.history.csv"]
    assert (facts["kind"], facts["columns"], facts["latent"], facts["rows"]) == ("AutoEncoder", 4, 3, 240)
    assert isthmus.load("m.isthmus").feature_names_in_.tolist() == ["income", "rent", "age", "town"]
    assert table("m.history.csv").num_rows == 3


def test_the_same_command_gives_the_same_bits(run, people):
    for name in ("a", "b"):
        words = ("--latent", 2, "--set", "epochs=2", "--no-records", "-q", "-o", f"{name}.isthmus")
        assert run("train", people, *ROLES, *words).code == 0
        assert run("encode", f"{name}.isthmus", people, "--exclude", "name,odd", "-q", "-o", f"{name}.npy").code == 0
    assert (np.load("a.npy") == np.load("b.npy")).all()


def test_a_recipe_gives_the_same_bits(run, people, tmp_path):
    words = ("--latent", 2, "--preset", "variational", "--set", "epochs=2", "--set", "penalty.beta=4", "--seed", 3)
    assert run("train", people, *ROLES, *words, "-q", "-o", "a.isthmus").code == 0
    recipe = run("info", "a.isthmus", "--config")
    assert "columns: [income, rent, age, town]" in recipe.out
    (tmp_path / "run.yaml").write_text(recipe.out)
    assert run("train", people, "--config", "run.yaml", "-q", "-o", "b.isthmus").code == 0
    a, b = (isthmus.load(f"{name}.isthmus").network_.state_dict() for name in "ab")
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_encode_carries_ids_through_and_decode_goes_back(run, people, model):
    assert run("encode", model, people, *ROLES, "-o", "codes.csv").code == 0
    codes = table("codes.csv")
    assert codes.column_names == ["name", "autoencoder0", "autoencoder1", "autoencoder2"]
    assert codes.column("name").to_pylist()[:2] == ["P000", "P001"]
    assert run("decode", model, "codes.csv", "--id", "name", "-o", "back.csv").code == 0
    assert run("reconstruct", model, people, *ROLES, "-o", "rows.csv").code == 0
    back, rows = table("back.csv"), table("rows.csv")
    assert back.column_names == rows.column_names == ["name", "income", "rent", "age", "town"]
    assert np.allclose(back.column("income"), rows.column("income"), rtol=1e-5)


def test_columns_in_another_order_and_pieces_give_the_same(run, people, model, tmp_path):
    rows = table(people)
    pyarrow.parquet.write_table(rows.select(rows.column_names[::-1]), tmp_path / "rows.parquet", row_group_size=50)
    assert run("score", model, people, *ROLES, "-o", "a.csv").code == 0
    assert run("score", model, "rows.parquet", *ROLES, "-o", "b.csv").code == 0
    a, b = table("a.csv"), table("b.csv")
    assert a.equals(b)
    assert a.column_names == ["name", "log_likelihood", "error"]


def test_standard_output_holds_nothing_but_data(run, people, model):
    ran = run("score", model, people, *ROLES, "-o", "-")
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 241
    assert "240 rows" in ran.err


def test_denoise_needs_a_model_that_removes_noise(run, people, model):
    ran = run("denoise", model, people, *ROLES, "-o", "c.csv")
    assert ran.code == 2
    assert "was not trained to remove noise" in ran.err
    words = ("--columns", "income,rent,age", "--preset", "denoising", "--latent", 2, "--set", "epochs=2")
    rows = "income,rent,age\n" + "".join(f"{40 + i % 7},{12 + i % 5},{30 + i % 9}\n" for i in range(120))
    with open("numbers.csv", "w", encoding="utf-8") as file:
        file.write(rows)
    assert run("train", "numbers.csv", *words, "-q", "-o", "d.isthmus").code == 0
    assert run("denoise", "d.isthmus", "numbers.csv", "-q", "-o", "clean.csv").code == 0
    assert table("clean.csv").shape == (120, 3)


def test_sample_needs_a_prior(run, people, model):
    ran = run("sample", model, "-n", 3, "-o", "new.csv")
    assert ran.code == 2
    assert "has no prior to draw from" in ran.err
    words = ("--preset", "variational", "--latent", 2, "--set", "epochs=2", "-q", "-o", "v.isthmus")
    assert run("train", people, *ROLES, *words).code == 0
    for name in ("a", "b"):
        assert run("sample", "v.isthmus", "-n", 7, "--seed", 1, "-o", f"{name}.csv").code == 0
    a = table("a.csv")
    assert a.equals(table("b.csv"))
    assert (a.num_rows, a.column_names) == (7, ["income", "rent", "age", "town"])


def test_anomalies_of_a_file_and_of_new_rows(run, people):
    words = ("--method", "mahalanobis", "--save", "d.isthmus", "--page", "odd.html")
    ran = run("anomalies", people, *ROLES, *words, "-o", "odd.csv", "--json")
    assert ran.code == 0, ran.err
    facts = ran.json()
    assert facts["files"] == ["odd.csv", "d.isthmus", "odd.html"]
    assert facts["auroc"] > 0.95
    assert (facts["known_anomalies"], facts["anomaly_label"]) == (3, "1")
    odd = table("odd.csv")
    assert odd.column_names == ["name", "score", "p_value", "anomaly", "because", "normal_if"]
    assert sum(odd.column("anomaly").to_pylist()) == facts["anomalies"]
    ran = run("anomalies", "d.isthmus", people, *ROLES, "--top", 5, "-o", "top.csv")
    assert ran.code == 0, ran.err
    top = table("top.csv")
    assert {"P050", "P100", "P150"} <= set(top.column("name").to_pylist())
    assert "rent" in top.column("because")[0].as_py()
    assert top.column("score").to_pylist() == sorted(top.column("score").to_pylist(), reverse=True)


def test_labels_that_are_not_two_values_are_refused(run, people):
    words = ("--method", "mahalanobis", "--id", "name", "--target", "town")
    ran = run("anomalies", people, *words, "-o", "odd.csv")
    assert ran.code == 1
    assert "--target must be a column of two values" in ran.err


def test_impute_fills_gaps_and_leaves_the_rest(run, people):
    ran = run("impute", people, *ROLES, "-o", "whole.csv", "--save", "i.isthmus")
    assert ran.code == 0, ran.err
    before, after = table(people), table("whole.csv")
    assert after.column("rent").null_count == 0
    assert after.column("income").equals(before.column("income"))
    there = before.column("rent").is_valid()
    assert after.column("rent").filter(there).equals(before.column("rent").filter(there))
    assert run("impute", "i.isthmus", people, *ROLES, "-o", "again.csv").code == 0
    assert table("again.csv").equals(after)


def test_drift_says_whether_rows_have_changed(run, people, tmp_path):
    words = (
        "--as",
        "detector",
        "--set",
        "method=mahalanobis",
        "--set",
        "setting=clean",
        "--set",
        "calibration_fraction=0.3",
    )
    assert run("train", people, *ROLES, *words, "-q", "-o", "d.isthmus").code == 0
    ran = run("drift", "d.isthmus", people, *ROLES, "--json", "--fail")
    assert (ran.code, ran.json()["changed"]) == (0, False)
    moved = table(people)
    moved = moved.set_column(1, "income", pa.compute.add(moved.column("income"), 60.0))
    pyarrow.csv.write_csv(moved, tmp_path / "moved.csv")
    ran = run("drift", "d.isthmus", "moved.csv", *ROLES, "--json", "--fail")
    assert (ran.code, ran.json()["changed"]) == (1, True)


def test_info(run, model):
    ran = run("info", model)
    assert ran.code == 0
    assert "4 columns as 3 numbers per row" in ran.out
    assert run("info", model, "--json").json()["recipe"]["latent"] == 3


def test_check_before_and_after(run, people, model):
    ran = run("check", people, "--target", "odd", "--json")
    assert ran.code == 0
    assert any("name" in str(finding) for finding in ran.json()["findings"])
    assert run("check", people, "--target", "odd", "--fail-on", "note").code == 1
    assert run("check", model).code == 0
    assert run("check", model, people, *ROLES).code == 0


def test_report(run, people, model):
    ran = run("report", model, people, *ROLES, "-o", "r.html")
    assert ran.code == 0, ran.err
    with open("r.html", encoding="utf-8") as file:
        assert "income" in file.read()


def test_tune(run, people):
    words = ("--search", "hidden=[[8],[16]]", "--set", "epochs=2", "--latent", 2, "--trials", 3)
    ran = run(
        "tune", people, *ROLES, "--objective", "error", *words, "-o", "best.isthmus", "--json", "--page", "t.html"
    )
    assert ran.code == 0, ran.err
    assert len(ran.json()["trials"]) == 3
    assert isthmus.load("best.isthmus").latent_ == 2


def test_the_whole_story(run, people, tmp_path):
    ran = run(people, *ROLES, "--latent", 2, "--set", "epochs=2", "--json")
    assert ran.code == 0, ran.err
    facts = ran.json()
    assert facts["files"] == ["people.html", "people.isthmus", "people.history.jsonl", "people.history.csv"]
    assert (facts["rows"], facts["model"]["latent"]) == (240, 2)
    assert len((tmp_path / "people.html").read_bytes()) < 3 * 2**20
    again = run(people, *ROLES)
    assert again.code == 1
    assert "people.html is there already; give another name, or replace it with --force" in again.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["train", "nothing.csv", "-o", "m.isthmus"], 1, "there is no file or folder nothing.csv"),
        (["train", "{people}", "-o", "no/m.isthmus"], 1, "the folder no for m.isthmus does not exist"),
        (["train", "{people}", "-o", "{people}"], 1, "is the file that is read"),
        (["train", "{people}", "--id", "nam", "-o", "m.isthmus"], 1, "did you mean 'name'"),
        (["train", "{people}", "--preset", "variatonal", "-o", "m.isthmus"], 2, "did you mean 'variational'"),
        (["train", "{people}", "--set", "epochs", "-o", "m.isthmus"], 2, "epochs"),
        (["train", "{people}", "--set", "epoch=3", "-o", "m.isthmus"], 2, "did you mean 'epochs'"),
        (["train", "{people}", "--latent", "many", "-o", "m.isthmus"], 2, "latent"),
        (["train", "{model}", "-o", "m.isthmus"], 2, "is a model, where data are expected"),
        (["encode", "{people}", "{people}", "-o", "c.csv"], 1, "people.csv"),
        (["encode", "{model}", "{people}", "--columns", "income", "-o", "c.csv"], 1, "rent"),
        (["encode", "{model}", "{people}", "-o", "c.docx"], 1, "has an ending that is not written"),
        (["drift", "{model}", "{people}"], 2, "drift needs an AnomalyDetector"),
        (["anomalies", "{model}", "-o", "c.csv"], 2, "give the data after it"),
        (["anomalies", "{people}", "{people}", "-o", "c.csv"], 2, "the first must be a model"),
        (["zoo", "show", "varational"], 2, "did you mean 'variational'"),
        (["data", "fetch", "minst"], 2, "did you mean 'mnist'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(run, people, model, tmp_path, words, code, message):
    ran = run(*(word.format(people=people, model=model) for word in words))
    assert ran.code == code
    lines = [line for line in ran.err.splitlines() if line.startswith("isthmus: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert "Traceback" not in ran.err
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_a_recipe_with_a_mistake_names_the_line(run, people, tmp_path):
    (tmp_path / "run.yaml").write_text("latent: 2\nepochs: many\n")
    ran = run("train", people, "--config", "run.yaml", "-o", "m.isthmus")
    assert ran.code == 2
    assert "run.yaml, line 2" in ran.err
    (tmp_path / "run.yaml").write_text("latent: 2\ndata:\n  exclud: [town]\n")
    ran = run("train", people, "--config", "run.yaml", "-o", "m.isthmus")
    assert ran.code == 2
    assert "line 3" in ran.err
    assert "did you mean 'exclude'" in ran.err


def test_a_broken_pipe_ends_quietly(run, people, model, monkeypatch):
    def broken(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr("isthmus.cli.output.Output.write", broken)
    monkeypatch.setattr("isthmus.cli.ending.silence_standard_output", lambda: None)
    ran = run("score", model, people, *ROLES, "-q", "-o", "-")
    assert (ran.code, ran.err) == (141, "")


def test_a_traceback_on_request(run, people):
    with pytest.raises(FileNotFoundError):
        run("train", "nothing.csv", "-o", "m.isthmus", "--debug")
