/** The whole editor: a form by its own address, or the shell with everything. */

import { useEffect } from "react";
import { FormPage } from "../form/FormPage";
import { useFormRoute } from "../form/route";
import { PanelDialogs, start } from "../panels";
import { startTheme, Toasts } from "../theme";
import { noticeStore, useNotices } from "./notices";
import { Shell } from "./Shell";
import { startShortcuts } from "./shortcuts";

export function App() {
  const form = useFormRoute();
  const notices = useNotices();
  useEffect(() => startTheme(), []);
  useEffect(() => startShortcuts(), []);
  useEffect(() => start(), []);
  return (
    <>
      {form === null ? <Shell /> : <FormPage name={form} />}
      <PanelDialogs />
      <Toasts messages={notices} onDismiss={(id) => noticeStore.getState().dismiss(id)} />
    </>
  );
}
