"""The pipeline behind FastAPI: uvicorn pipeline_app:app, with PIPELINE=FILE.joblib."""

import os

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, Field

model = joblib.load(os.environ["PIPELINE"])
app = FastAPI()


class Person(BaseModel):
    age: int
    workclass: str | None = None
    education_num: int = Field(alias="education-num")
    marital_status: str = Field(alias="marital-status")
    occupation: str | None = None
    capital_gain: float = Field(alias="capital-gain")
    capital_loss: float = Field(alias="capital-loss")
    hours_per_week: int = Field(alias="hours-per-week")
    native_country: str | None = Field(default=None, alias="native-country")


@app.post("/predict")
def predict(person: Person):
    return {"prediction": float(model.predict_proba(pd.DataFrame([person.model_dump(by_alias=True)]))[0, 1])}
